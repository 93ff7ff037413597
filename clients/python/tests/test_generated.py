import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).resolve().parents[1]


def test_what_is_generated_is_what_the_description_and_the_sources_say(tmp_path):
    """Else: npm run openapi."""
    subprocess.run([sys.executable, CLIENT / "tools/generate.py", tmp_path], check=True)
    package = CLIENT / "durable_agentflow"
    fresh = {file.relative_to(tmp_path): file.read_text() for file in tmp_path.rglob("*.py")}
    written = [package / "api_types.py", *(package / "_sync").glob("*.py")]
    assert {file.relative_to(package): file.read_text() for file in written} == fresh
