import subprocess
import sys


def test_mlflow_is_imported_late_and_torch_never() -> None:
    program = (
        "import sys, ablation.tracking.mlflow_tracker, ablation.tracking.ui\n"
        "print([name for name in ('mlflow', 'torch', 'sqlalchemy') if name in sys.modules])\n"
        "from ablation.tracking.client import open_client\n"
        "open_client('http://127.0.0.1:1')\n"
        "print([name for name in ('mlflow', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "['mlflow']"]
