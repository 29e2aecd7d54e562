"""What a traced call was given and what it gave back, as attributes: arguments, results, errors and tool schemas."""
