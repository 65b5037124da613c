"""`vision-agent talk`: its options, and what it does with them."""
