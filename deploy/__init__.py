"""Ways to run the system: on one machine (`local`), and test images (`containers`)."""
