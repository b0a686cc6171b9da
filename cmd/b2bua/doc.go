// Command b2bua is the switch: flags, subcommands, signals and exit codes.
//
//	b2bua serve [--config FILE]        run the switch
//	b2bua config check|print           look at the configuration
//	b2bua call NUMBER [--digits ...]   a small phone for trying things out
//	b2bua version
//
// Without a file, serve starts on its defaults with a demo flow. The first
// SIGINT or SIGTERM drains, the second ends at once. Exit codes: 0 fine, 1
// failed, 2 wrong usage or configuration.
package main
