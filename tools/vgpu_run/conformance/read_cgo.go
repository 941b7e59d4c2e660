package main

/*
#include <stdio.h>
#include <stdlib.h>

static size_t ReadFile(const char* path, char* bytes, size_t size) {
  FILE* file = fopen(path, "r");
  if (file == NULL) return 0;
  size_t read = fread(bytes, 1, size, file);
  fclose(file);
  return read;
}
*/
import "C"

import "unsafe"

func init() {
	readByLibc = func(path string) ([]byte, error) {
		bytes := make([]byte, 4096)
		name := C.CString(path)
		defer C.free(unsafe.Pointer(name))
		size, err := C.ReadFile(name, (*C.char)(unsafe.Pointer(&bytes[0])), 4096)
		if size == 0 {
			return nil, err
		}
		return bytes[:size], nil
	}
}
