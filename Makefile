# Only makes a virtual environment and calls tox or python in it.
PYTHON ?= python3
PIP = .venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test test-all sandbox clean

demo: .venv/sandbox
	.venv/bin/python -m sandbox.demo

sandbox: .venv/sandbox
	.venv/bin/python -m sandbox

test: .venv/tox
	.venv/bin/python -m tox run

test-all: .venv/tox
	.venv/bin/python -m tox exec -e gate -- pytest -n auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder --everything

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || { echo "This Python cannot make virtual environments: on Debian, apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	touch $@

.venv/sandbox: .venv/made pyproject.toml constraints.txt
	$(PIP) boto3 cbor2 cfn-flip Jinja2 ministack rich
	touch $@

.venv/tox: .venv/made constraints.txt
	$(PIP) tox
	touch $@

clean:
	rm -rf .venv .tox build *.egg-info
