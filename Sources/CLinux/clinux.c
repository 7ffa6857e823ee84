/* A C target needs at least one source file. */
#include "clinux.h"
