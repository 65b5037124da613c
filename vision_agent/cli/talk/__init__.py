"""`vision-agent talk`: its options and its body."""
