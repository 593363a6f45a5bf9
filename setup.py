"""The packages: every folder of code under the five floors, as `sightline.*`."""

from setuptools import find_packages, setup

FLOORS = ("objectives", "models", "tasks", "diagnosis", "launch")

found = find_packages(include=[f"{floor}*" for floor in FLOORS])
setup(
    packages=["sightline", *(f"sightline.{name}" for name in found)],
    package_dir={"sightline": "."},
)
