"""The desk in a browser: the pages of tasks/report with sign-in and actions."""
