"""python -m config.variables: write .env.example and docs/settings.md."""

from pathlib import Path

from config.variables import written

if __name__ == "__main__":
    for name, text in written.files().items():
        (Path(__file__).parents[2] / name).write_text(text)
