"""Python types as JSON Schema (draft 2020-12): any annotation becomes a bounded schema of plain values."""
