"""Make or upgrade the tables of MLflow and of Optuna. Usage: migrate.py ADDRESS_OF_MLFLOW ADDRESS_OF_OPTUNA."""

import subprocess
import sys

from optuna.storages import RDBStorage


def main() -> None:
    """Bring both databases to what the installed packages need; nothing happens where they are there already."""
    mlflow, optuna = sys.argv[1:]
    subprocess.run([sys.executable, "-m", "mlflow", "db", "upgrade", mlflow], check=True)  # noqa: S603 - our own words
    # Optuna's own command upgrades only what another one has made.
    RDBStorage(optuna, skip_compatibility_check=True).upgrade()


if __name__ == "__main__":
    main()
