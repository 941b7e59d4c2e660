// Exports nothing: its hash table is empty.
extern int cuInit(unsigned flags);
extern int cuMemAlloc_v2(void **pointer);

__attribute__((visibility("hidden"), used)) int (*const calls[])() = {(int (*)())cuInit,
                                                                      (int (*)())cuMemAlloc_v2};
