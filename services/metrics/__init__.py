"""metrics: counts every order line once, and shows the counts per practice and period."""
