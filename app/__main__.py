"""`python -m app` is `mailalert`."""

from app.cli.main import main

if __name__ == "__main__":
    main()
