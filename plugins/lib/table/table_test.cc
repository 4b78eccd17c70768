/* SPDX-License-Identifier: Apache-2.0 */
#include "table/table.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace
{

struct Item {
	std::string name;
	struct table_entry entry;
};

struct gantry_str Str(const std::string &text)
{
	return {text.data(), text.size()};
}

TEST(Table, FindsWhatWasInsertedAndNothingElse)
{
	struct table table = {};
	std::vector<Item> items(1000);

	EXPECT_EQ(table_find(&table, Str("item-1")), nullptr);
	for (size_t i = 0; i < items.size(); i++) {
		items[i].name = "item-" + std::to_string(i);
		ASSERT_EQ(table_insert(&table, Str(items[i].name), &items[i].entry), 0);
	}
	EXPECT_EQ(table.count, items.size());
	for (auto &item : items)
		EXPECT_EQ(table_find(&table, Str(item.name)), &item.entry);
	EXPECT_EQ(table_find(&table, Str("item-1000")), nullptr);
	EXPECT_EQ(table_find(&table, Str("")), nullptr);
	table_clear(&table);
}

TEST(Table, FindsManyAsItFindsOne)
{
	struct table table = {};
	std::vector<Item> items(300);
	std::vector<std::string> names;
	std::vector<struct table_wanted> wanted(400);

	for (size_t i = 0; i < wanted.size(); i++)
		names.push_back("item-" + std::to_string(i));
	for (size_t i = 0; i < wanted.size(); i++)
		wanted[i].key = Str(names[i]);
	table_find_many(&table, wanted.data(), wanted.size());
	for (auto &one : wanted)
		EXPECT_EQ(one.entry, nullptr);
	for (size_t i = 0; i < items.size(); i++) {
		items[i].name = names[i];
		ASSERT_EQ(table_insert(&table, Str(items[i].name), &items[i].entry), 0);
	}
	table_find_many(&table, wanted.data(), wanted.size());
	for (size_t i = 0; i < wanted.size(); i++)
		EXPECT_EQ(wanted[i].entry, i < items.size() ? &items[i].entry : nullptr) << i;
	table_clear(&table);
}

TEST(Table, RemovedEntriesAreGoneAndTheOthersStay)
{
	struct table table = {};
	std::vector<Item> items(100);

	for (size_t i = 0; i < items.size(); i++) {
		items[i].name = std::to_string(i);
		ASSERT_EQ(table_insert(&table, Str(items[i].name), &items[i].entry), 0);
	}
	for (size_t i = 0; i < items.size(); i += 2)
		table_remove(&table, &items[i].entry);
	for (size_t i = 0; i < items.size(); i++)
		EXPECT_EQ(table_find(&table, Str(items[i].name)) != nullptr, i % 2 == 1) << i;
	size_t walked = 0;
	for (auto *entry = table_next(&table, nullptr); entry; entry = table_next(&table, entry))
		walked++;
	EXPECT_EQ(walked, 50u);
	table_clear(&table);
}

TEST(Table, SortedIsSortedByBytesThenByLength)
{
	struct table table = {};
	std::vector<Item> items(5);
	const char *names[] = {"b", "ab", "a", "", "aa"};

	for (size_t i = 0; i < items.size(); i++) {
		items[i].name = names[i];
		ASSERT_EQ(table_insert(&table, Str(items[i].name), &items[i].entry), 0);
	}
	struct table_entry **sorted = table_sorted(&table);
	ASSERT_NE(sorted, nullptr);
	std::string order;
	for (size_t i = 0; i < items.size(); i++)
		order += std::string(sorted[i]->key.at, sorted[i]->key.size) + ",";
	EXPECT_EQ(order, ",a,aa,ab,b,");
	free(sorted);
	table_clear(&table);
}

TEST(Table, HolderGivesTheStructBack)
{
	Item item;

	EXPECT_EQ(TABLE_HOLDER(&item.entry, Item, entry), &item);
}

} // namespace
