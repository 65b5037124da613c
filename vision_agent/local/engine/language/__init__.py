"""What can be asked, and how it sounds: tables and rules, no sound."""
