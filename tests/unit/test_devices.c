/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tree.h"

#include <dirent.h>

#include "user/base/array.h"
#include "user/collect/dev_number.h"
#include "user/collect/devices.h"

#define VDA   dev_number(254, 0)
#define VDA1  dev_number(254, 1)
#define VDA2  dev_number(254, 2)
#define DM0   dev_number(252, 0)
#define DM1   dev_number(252, 1)
#define MD0   dev_number(9, 0)
#define LOOP3 dev_number(7, 3)
#define ZRAM0 dev_number(253, 0)

static struct devices *devices;

/* One device: where its folder is below devices/, as its link says it. */
static void add_device(const char *number, const char *folder, const char *sectors)
{
	char name[512], target[512], text[64];

	snprintf(name, sizeof(name), "devices/%s/dev", folder);
	snprintf(text, sizeof(text), "%s\n", number);
	tree_write(name, text);
	snprintf(name, sizeof(name), "devices/%s/size", folder);
	snprintf(text, sizeof(text), "%s\n", sectors);
	tree_write(name, text);
	snprintf(name, sizeof(name), "dev/block/%s", number);
	snprintf(target, sizeof(target), "../../devices/%s", folder);
	tree_link(name, target);
}

/* As sysfs has them: a disk with partitions, dm-1 on dm-0 on one of them, md0 on the other. */
static void add_machine(void)
{
	add_device("254:0", "pci0/virtio1/block/vda", "2048");
	tree_link("devices/pci0/virtio1/block/vda/device", "../../../virtio1");
	add_device("254:1", "pci0/virtio1/block/vda/vda1", "1024");
	tree_write("devices/pci0/virtio1/block/vda/vda1/partition", "1\n");
	add_device("254:2", "pci0/virtio1/block/vda/vda2", "1024");
	tree_write("devices/pci0/virtio1/block/vda/vda2/partition", "2\n");
	add_device("252:0", "virtual/block/dm-0", "1000");
	tree_write("devices/virtual/block/dm-0/dm/name", "crypt\n");
	tree_link("devices/virtual/block/dm-0/slaves/vda2",
		  "../../../../pci0/virtio1/block/vda/vda2");
	tree_link("devices/virtual/block/dm-0/holders/dm-1", "../../dm-1");
	add_device("252:1", "virtual/block/dm-1", "900");
	tree_write("devices/virtual/block/dm-1/dm/name", "data\n");
	tree_link("devices/virtual/block/dm-1/slaves/dm-0", "../../dm-0");
	add_device("9:0", "virtual/block/md0", "900");
	tree_write("devices/virtual/block/md0/md/level", "raid1\n");
	tree_link("devices/virtual/block/md0/slaves/vda1",
		  "../../../../pci0/virtio1/block/vda/vda1");
	add_device("7:3", "virtual/block/loop3", "0");
	tree_write("devices/virtual/block/loop3/diskseq", "4\n");
	add_device("253:0", "virtual/block/zram0", "0");
}

static int set_up(void **state)
{
	(void)state;
	tree_make();
	add_machine();
	return devices_new(tree_root, &devices);
}

static int tear_down(void **state)
{
	(void)state;
	devices_free(devices);
	devices = NULL;
	tree_remove("");
	return 0;
}

static const struct device *resolve(uint32_t dev)
{
	const struct device *d = NULL;

	assert_int_equal(devices_resolve(devices, dev, &d), 0);
	assert_non_null(d);
	assert_int_equal(d->dev, dev);
	return d;
}

static void is_called(uint32_t dev, enum device_kind kind, const char *name)
{
	const struct device *d = resolve(dev);

	assert_string_equal(d->name, name);
	assert_string_equal(device_kind_name(d->kind), device_kind_name(kind));
}

static void lineage_is(uint32_t physical, uint32_t origin, const char *wanted)
{
	struct str text = { 0 };

	assert_int_equal(devices_lineage(devices, physical, origin, &text), 0);
	assert_string_equal(str_text(&text), wanted);
	str_release(&text);
}

static void devices_have_names_and_kinds(void **state)
{
	(void)state;
	is_called(VDA, DEVICE_DISK, "vda");
	is_called(VDA1, DEVICE_PARTITION, "vda1");
	is_called(DM0, DEVICE_DM, "dm-0");
	is_called(MD0, DEVICE_MD, "md0");
	is_called(LOOP3, DEVICE_LOOP, "loop3");
	is_called(ZRAM0, DEVICE_OTHER, "zram0");
	assert_string_equal(resolve(DM1)->dm_name, "data");
	assert_string_equal(resolve(VDA)->dm_name, "");
	assert_int_equal(resolve(VDA)->sectors, 2048);
	assert_int_equal(devices_count_disks(devices), 1); /* the others are empty */
	assert_int_equal(devices_unread(devices), 0);
}

static void what_stands_on_what_is_known(void **state)
{
	(void)state;
	assert_int_equal(resolve(VDA2)->parent, VDA);
	assert_int_equal(resolve(VDA)->parent, 0);
	assert_int_equal(resolve(DM0)->n_slaves, 1);
	assert_int_equal(resolve(DM0)->slaves[0], VDA2);
	assert_int_equal(resolve(DM0)->n_holders, 1);
	assert_int_equal(resolve(DM0)->holders[0], DM1);
	assert_int_equal(resolve(DM1)->n_holders, 0);
}

static void a_lineage_names_all_that_lies_between(void **state)
{
	(void)state;
	lineage_is(VDA, DM1, "vda <- vda2 <- dm-0 (crypt) <- dm-1 (data)");
	lineage_is(VDA, VDA1, "vda <- vda1");
	lineage_is(DM0, DM1, "dm-0 (crypt) <- dm-1 (data)");
	lineage_is(VDA, MD0, "vda <- vda1 <- md0");
	lineage_is(VDA, VDA, "vda");
	lineage_is(DM0, 0, "dm-0 (crypt)");
	/* Nothing leads from one to the other. */
	lineage_is(ZRAM0, DM1, "zram0 <- dm-1 (data)");
	lineage_is(DM1, VDA, "dm-1 (data) <- vda");
}

static void a_circle_ends(void **state)
{
	(void)state;
	tree_link("devices/virtual/block/dm-0/slaves/dm-1", "../../dm-1");
	tree_link("devices/virtual/block/dm-1/slaves/dm-1", "../../dm-1");
	assert_int_equal(devices_refresh(devices), 0);
	lineage_is(ZRAM0, DM1, "zram0 <- dm-1 (data)");
}

static void what_is_not_there_goes_by_its_number(void **state)
{
	(void)state;
	is_called(dev_number(8, 16), DEVICE_UNKNOWN, "8:16");
	is_called(UINT32_MAX, DEVICE_UNKNOWN, "4095:1048575");
	is_called(0, DEVICE_UNKNOWN, "0:0");
	assert_true(resolve(0)->gone);
	assert_int_equal(devices_unread(devices), 0);
	devices_free(devices);
	assert_int_equal(devices_new("/proc/self/no-such-folder", &devices), 0);
	is_called(VDA, DEVICE_UNKNOWN, "254:0");
	assert_int_equal(devices_refresh(devices), 0);
}

static void a_new_number_is_looked_for_once(void **state)
{
	(void)state;
	add_device("8:16", "pci0/ata1/block/sdb", "100");
	is_called(dev_number(8, 16), DEVICE_OTHER, "sdb");
	is_called(dev_number(8, 32), DEVICE_UNKNOWN, "8:32");
	add_device("8:32", "pci0/ata1/block/sdc", "100");
	is_called(dev_number(8, 32), DEVICE_UNKNOWN, "8:32");
	assert_int_equal(devices_refresh(devices), 0);
	is_called(dev_number(8, 32), DEVICE_OTHER, "sdc");
	assert_false(resolve(dev_number(8, 32))->reused);
}

static void what_vanishes_keeps_what_was_read(void **state)
{
	const struct device *d = resolve(DM1);

	(void)state;
	tree_remove("dev/block/252:1");
	tree_remove("devices/virtual/block/dm-1");
	assert_int_equal(devices_refresh(devices), 0);
	assert_ptr_equal(resolve(DM1), d);
	assert_true(d->gone);
	assert_false(resolve(DM0)->gone);
	lineage_is(VDA, DM1, "vda <- vda2 <- dm-0 (crypt) <- dm-1 (data)");
}

static void a_table_that_is_taken_apart_is_remembered(void **state)
{
	(void)state;
	tree_remove("devices/virtual/block/dm-0/slaves");
	tree_remove("devices/virtual/block/dm-0/holders/dm-1");
	tree_remove("devices/virtual/block/dm-1/dm");
	assert_int_equal(devices_refresh(devices), 0);
	lineage_is(VDA, DM1, "vda <- vda2 <- dm-0 (crypt) <- dm-1 (data)");
	assert_int_equal(resolve(DM0)->n_holders, 1);
	assert_int_equal(resolve(DM0)->holders[0], DM1);
}

static void a_loop_device_gets_its_file_and_keeps_it(void **state)
{
	const struct device *d = resolve(LOOP3);

	(void)state;
	assert_string_equal(d->backing_file, "");
	tree_write("devices/virtual/block/loop3/loop/backing_file", "/srv/disk.img\n");
	tree_write("devices/virtual/block/loop3/size", "80\n");
	tree_write("devices/virtual/block/loop3/diskseq", "5\n");
	assert_int_equal(devices_refresh(devices), 0);
	assert_string_equal(d->backing_file, "/srv/disk.img");
	assert_false(d->reused);
	tree_remove("devices/virtual/block/loop3/loop");
	tree_write("devices/virtual/block/loop3/size", "0\n");
	tree_write("devices/virtual/block/loop3/diskseq", "6\n");
	assert_int_equal(devices_refresh(devices), 0);
	lineage_is(VDA, LOOP3, "vda <- loop3 (/srv/disk.img)");
	assert_false(d->reused);
	assert_false(d->gone);
}

static void a_number_that_is_used_again_says_so(void **state)
{
	(void)state;
	tree_write("devices/virtual/block/dm-0/dm/name", "other\n");
	assert_int_equal(devices_refresh(devices), 0);
	assert_true(resolve(DM0)->reused);
	assert_string_equal(resolve(DM0)->dm_name, "other");
	assert_false(resolve(DM1)->reused);
	assert_int_equal(devices_refresh(devices), 0);
	assert_true(resolve(DM0)->reused);
}

static void another_medium_is_another_device(void **state)
{
	(void)state;
	tree_write("devices/pci0/virtio1/block/vda/diskseq", "1\n");
	assert_int_equal(devices_refresh(devices), 0);
	assert_false(resolve(VDA)->reused);
	tree_write("devices/pci0/virtio1/block/vda/diskseq", "2\n");
	assert_int_equal(devices_refresh(devices), 0);
	assert_true(resolve(VDA)->reused);
}

static void hostile_text_is_cleaned(void **state)
{
	const struct device *d;

	(void)state;
	tree_write("devices/virtual/block/dm-0/dm/name", "a\nb\x1b[31m\xff\n");
	tree_write("devices/virtual/block/loop3/loop/backing_file", "/tmp/x\n/etc/y\n");
	add_device("104:0", "pci0/block/cciss!c0d0", "1");
	assert_int_equal(devices_refresh(devices), 0);
	d = resolve(DM0);
	assert_string_equal(d->dm_name, "a?b?[31m\xef\xbf\xbd");
	assert_string_equal(resolve(LOOP3)->backing_file, "/tmp/x?/etc/y");
	is_called(dev_number(104, 0), DEVICE_OTHER, "cciss/c0d0");
}

static void links_that_lead_elsewhere_are_not_followed(void **state)
{
	static const char *const targets[] = {
		"/etc",	    "../../..",	     "../../../../../../etc", "../../devices/../../etc",
		"../block", "../../devices", "../../dev/block/254:0",
	};
	char name[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		snprintf(name, sizeof(name), "dev/block/8:%zu", i);
		tree_link(name, targets[i]);
	}
	tree_link("devices/virtual/block/dm-1/slaves/passwd", "/etc");
	assert_int_equal(devices_refresh(devices), 0);
	assert_int_equal(devices_unread(devices), ARRAY_SIZE(targets) + 1);
	for (i = 0; i < ARRAY_SIZE(targets); i++)
		assert_int_equal(resolve(dev_number(8, i))->kind, DEVICE_UNKNOWN);
	assert_int_equal(resolve(DM1)->n_slaves, 1);
}

static void a_link_as_the_last_folder_or_attribute_is_not_followed(void **state)
{
	(void)state;
	tree_write("devices/elsewhere/dev", "1:1\n");
	tree_link("devices/virtual/block/evil", "../../elsewhere");
	tree_link("dev/block/1:1", "../../devices/virtual/block/evil");
	tree_remove("devices/virtual/block/dm-0/dm/name");
	tree_link("devices/virtual/block/dm-0/dm/name", "/etc/hostname");
	assert_int_equal(devices_refresh(devices), 0);
	assert_int_equal(resolve(dev_number(1, 1))->kind, DEVICE_UNKNOWN);
	assert_string_equal(resolve(DM0)->dm_name, "crypt");
	assert_int_equal(devices_unread(devices), 2);
}

static void attributes_are_bounded_and_regular(void **state)
{
	static char text[5000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	tree_write("devices/virtual/block/dm-0/dm/name", text);
	tree_remove("devices/virtual/block/dm-1/dm/name");
	assert_int_equal(mkfifo(tree_path("devices/virtual/block/dm-1/dm/name"), 0600), 0);
	assert_int_equal(devices_refresh(devices), 0);
	assert_string_equal(resolve(DM0)->dm_name, "crypt");
	assert_string_equal(resolve(DM1)->dm_name, "data");
	assert_int_equal(devices_unread(devices), 2);
	tree_write("devices/virtual/block/md0/size", "999999999999999999999999\n");
	tree_write("devices/virtual/block/zram0/size", "-5\n");
	assert_int_equal(devices_refresh(devices), 0);
	assert_int_equal(resolve(ZRAM0)->sectors, 0);
}

static void names_that_are_no_numbers_are_no_devices(void **state)
{
	uint32_t dev = 7;
	size_t i;
	static const char *const bad[] = { "",
					   ":",
					   "8",
					   "8:",
					   ":8",
					   "8:1 ",
					   " 8:1",
					   "8:-1",
					   "+8:1",
					   "4096:0",
					   "0:1048576",
					   "8:1:2",
					   "8:0x1",
					   "99999999999999999999:1",
					   "8:4294967296" };

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (dev_number_parse(bad[i], strlen(bad[i]), &dev))
			fail_msg("'%s' was taken for a device's number", bad[i]);
	}
	assert_int_equal(dev, 7);
	assert_true(dev_number_parse("4095:1048575", 12, &dev));
	assert_int_equal(dev, UINT32_MAX);
	assert_true(dev_number_parse("8:16x", 4, &dev));
	assert_int_equal(dev, 8 << 20 | 16);
}

static void numbers_of_stat_and_of_the_kernel_are_not_the_same(void **state)
{
	(void)state;
	/* 0x103:0x12345, which user space spreads over its number (makedev(3)). */
	assert_int_equal(dev_number_of_st_dev(0x12310345), dev_number(0x103, 0x12345));
	assert_true(dev_number_to_st_dev(dev_number(0x103, 0x12345)) == 0x12310345);
	assert_int_equal(dev_number_of_st_dev(makedev(8, 16)), 0x800010);
	assert_int_equal(dev_number_major(0x800010), 8);
	assert_int_equal(dev_number_minor(0x800010), 16);
}

/* The machine that the test runs on: everything has a name, and disks a size or none. */
static void the_real_sysfs_is_read(void **state)
{
	struct dirent *entry;
	uint32_t dev;
	DIR *dir;

	(void)state;
	devices_free(devices);
	assert_int_equal(devices_new("/sys", &devices), 0);
	assert_int_equal(devices_unread(devices), 0);
	dir = opendir("/sys/dev/block");
	while (dir && (entry = readdir(dir))) {
		if (!dev_number_parse(entry->d_name, strlen(entry->d_name), &dev))
			continue;
		assert_int_not_equal(resolve(dev)->kind, DEVICE_UNKNOWN);
		assert_string_not_equal(resolve(dev)->name, entry->d_name);
	}
	if (dir)
		closedir(dir);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(devices_have_names_and_kinds),
		TEST(what_stands_on_what_is_known),
		TEST(a_lineage_names_all_that_lies_between),
		TEST(a_circle_ends),
		TEST(what_is_not_there_goes_by_its_number),
		TEST(a_new_number_is_looked_for_once),
		TEST(what_vanishes_keeps_what_was_read),
		TEST(a_table_that_is_taken_apart_is_remembered),
		TEST(a_loop_device_gets_its_file_and_keeps_it),
		TEST(a_number_that_is_used_again_says_so),
		TEST(another_medium_is_another_device),
		TEST(hostile_text_is_cleaned),
		TEST(links_that_lead_elsewhere_are_not_followed),
		TEST(a_link_as_the_last_folder_or_attribute_is_not_followed),
		TEST(attributes_are_bounded_and_regular),
		TEST(names_that_are_no_numbers_are_no_devices),
		TEST(numbers_of_stat_and_of_the_kernel_are_not_the_same),
		TEST(the_real_sysfs_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
