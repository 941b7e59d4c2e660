// A library as a CUDA runtime shim is one: versioned exports, and symbols that it
// needs from others.
extern int cuInit(unsigned flags);
extern int cublasCreate_v2(void **handle);
extern int nvmlInit_v2(void) __attribute__((weak));

int cudaMalloc(void **pointer) { return cuInit(0) + cublasCreate_v2(pointer); }
int cudaFree(void *pointer) { return pointer && nvmlInit_v2 ? nvmlInit_v2() : 0; }
int not_exported(void) { return 1; }
