#!/bin/sh
# Gradescope runs this once, as root, when it makes the container of this assignment.
set -e
apt-get update
apt-get install -y --no-install-recommends ca-certificates libseccomp2 python3-pip
# The container's own Python may be older than 3.11: uv brings one. All can read it, students' code too.
pip3 install uv
export UV_PYTHON_INSTALL_DIR=/opt/python UV_CACHE_DIR=/tmp/uv
uv venv --python 3.11 /opt/autograder
uv pip install --python /opt/autograder/bin/python --torch-backend cpu -r /autograder/source/requirements.txt
cp -r /autograder/source/packages /opt/packages
chmod -R go=rX /opt/python /opt/autograder /opt/packages
# What is worth stealing is root's alone: references, key, mistakes.
chmod -R go= /autograder/source
rm -rf /tmp/uv /var/lib/apt/lists
