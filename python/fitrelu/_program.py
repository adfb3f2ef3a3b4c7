"""The program that lies in the package."""
import os

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "fitrelu")
