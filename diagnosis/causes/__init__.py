"""Why a model fails: five causes, checked in order."""
