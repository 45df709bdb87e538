"""`herhaal rebuild`: a service's projections, built anew from the topics and switched in."""
