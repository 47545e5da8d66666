export const help = `quorate witness [key] [--help]

Remembers the last checkpoint of each log that it is told of, demands of every later one a proof that it contains it, and
cosigns nothing else (C2SP tlog-witness). See docs/witness.md.

  key                     shows the verifier key that it cosigns with, made when there is none yet, and ends
  --help                  shows this text

Environment:
  QUORATE_WITNESS_NAME    the name to cosign under, like a URL without its scheme; needed
  QUORATE_WITNESS_LOGS    verifier keys of the logs, with blanks or line breaks between; needed, but for key
  QUORATE_WITNESS_DIR     the directory of its key and its memory (./witness); never restored from a backup
  HOST, PORT              where it listens (127.0.0.1, 8090)

Example:
  export QUORATE_WITNESS_NAME=witness.example/w1 QUORATE_WITNESS_DIR=/var/lib/quorate-witness
  quorate witness key
  QUORATE_WITNESS_LOGS="log.example/log/0190…+1a2b3c4d+AQ…" quorate witness

Exits with 0 when it was stopped by SIGTERM or SIGINT and after key, 1 when it could not start.
`
