"""The commands that people and MLproject call: parse, call one function, print, exit code."""
