// A library that is not the real one; the loader's tests compile it with different versions.
#include <stdint.h>

#ifdef ABI_VERSION
uint32_t hljs_abi_version(void) { return ABI_VERSION; }
#else
uint32_t something_else(void) { return 0; }
#endif
