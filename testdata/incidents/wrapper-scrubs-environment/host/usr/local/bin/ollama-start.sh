#!/bin/sh
# Start Ollama from a known environment.
set -e
umask 0022

exec env -i PATH=/usr/bin:/bin HOME=/usr/share/ollama /usr/local/bin/ollama serve
