"""Published tests, read from a path that the user gives."""
