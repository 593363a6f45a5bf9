"""Who sees whom: declared, measured, drawn."""
