"""A true text against a false one."""
