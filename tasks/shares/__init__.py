"""What each objective of a mixture takes: counted, measured, expected."""
