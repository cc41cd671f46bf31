"""`python -P -m engine.demo`: the demo cloud as a process of its own."""

from engine.demo.process import main

if __name__ == "__main__":
    raise SystemExit(main())
