/* libyaml, linked statically. */
#include <yaml.h>
