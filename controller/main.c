// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "controller/cmd/cmd.h"

int main(int argc, char **argv)
{
	return cmd_run(argc, argv, stdout, stderr);
}
