"""Run a step's commands: processes, the shell, the sandbox, the environment, input files."""
