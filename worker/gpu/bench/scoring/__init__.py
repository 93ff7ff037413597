"""What others' rules say of answers: `npm run bench:scoring`."""
