// zlib as the system has it (Debian's zlib1g-dev): inflates gzip files.
#include <zlib.h>
