// For check_installed: the versions of the header and of the library, as users compile and link them.
#include <hyperlight_js.h>
#include <stdio.h>

int main(void) {
  const uint8_t *version;
  size_t length;
  if (hljs_abi_version() != HLJS_ABI_VERSION) {
    printf("the library has ABI version %u, and the header %u\n", hljs_abi_version(), HLJS_ABI_VERSION);
    return 1;
  }
  hljs_version(&version, &length);
  printf("version %.*s, ABI version %u\n", (int)length, (const char *)version, hljs_abi_version());
  return 0;
}
