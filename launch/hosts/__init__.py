"""The processes of one run: how they start, agree, wait for each other and end."""
