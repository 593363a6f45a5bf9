"""Floor 4: everything that runs. Nothing below imports from here."""
