"""Tables parted by month: on a database of their own, at a start, and by command on a running stack."""
