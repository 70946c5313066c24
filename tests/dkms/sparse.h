/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What headers of Linux 7.x use and Debian's sparse does not know, for it alone: the
 * compiler never sees this.  Qualifiers do not matter to what is checked, and the length
 * is that of a literal where it has to be constant (MODULE_INFO()).
 */
#define __typeof_unqual__ __typeof__
#define __builtin_strlen(s) (sizeof(s) - 1)
