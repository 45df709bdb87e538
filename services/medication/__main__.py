"""`python -m services.medication [--only api|worker]`."""

from runtime.process import main
from services.medication.app import SERVICE

if __name__ == "__main__":
    main(SERVICE)
