// A library that ends every program that loads it, before its main function: the worst
// that a preloaded shim can do.
#include <signal.h>

__attribute__((constructor)) static void Crash() { raise(SIGSEGV); }
