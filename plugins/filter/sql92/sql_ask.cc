// SPDX-License-Identifier: Apache-2.0
// Answers what the filter says, as tests/peers/java/filter/AskFilter.java does with RocketMQ's own.
#include <iostream>
#include <string>

#include "sql_answer.h"

int main()
{
	std::string line;

	while (std::getline(std::cin, line))
		std::cout << sql_answer(line) << '\n';
	return 0;
}
