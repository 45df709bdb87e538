"""metrics: counts every order line once, and reports the counts per practice and period."""
