"""`vision-agent eval`: suites of cases, and what came of them."""
