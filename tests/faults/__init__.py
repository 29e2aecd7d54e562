"""What may befall spans on their way: servers that fail by script, programs that die, disks that fill."""
