"""`vision-agent eval`: suites of cases, and their results."""
