// SPDX-License-Identifier: GPL-2.0-or-later
#include "root.h"

const char *host_root = "";
