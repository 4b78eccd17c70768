/* SPDX-License-Identifier: Apache-2.0 */
/* The stages over recording plugins: order, exact reversal, a failure in each stage, needs. The
 * plugins are handed to the kernel as parts of the program. */
#include "kernel_test.h"

#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace
{

std::vector<std::string> calls; /* of the kernel's control thread */
std::string fail_at;            /* "start filter-b": this call fails */
std::string pending_at;         /* "start filter-b": this call finishes later */
gk_kernel *running;

struct snapshot {
	int64_t size;
	const char *text;
	int64_t count;
};

const gantry_conf_item keys[] = {
	{"size", GANTRY_CONF_SIZE, GANTRY_CONF_RELOAD, offsetof(snapshot, size), 1, 1000, "bytes",
	 "5", nullptr, "a size"},
	{"text", GANTRY_CONF_STRING, 0, offsetof(snapshot, text), 0, 0, nullptr, "dflt", nullptr,
	 "a text"},
	{"count", GANTRY_CONF_INT, 0, offsetof(snapshot, count), 1, 9, nullptr, "1", nullptr,
	 "a count"},
	{},
};

int note(gantry_inst *inst, const char *call)
{
	std::string text = std::string(call) + " " + gantry_inst_name(inst);
	calls.push_back(text);
	return text == fail_at ? -EIO : 0;
}

/* Finishes the op a moment later, on a worker's way back. */
int note_async(gantry_inst *inst, const char *call, gantry_op *op)
{
	static gantry_timer *timer;
	static gantry_op *waiting;
	int status = note(inst, call);
	if (pending_at != calls.back())
		return status;
	waiting = op;
	gantry_op_take(op, nullptr, reinterpret_cast<void *>(static_cast<intptr_t>(status)));
	return gantry_timer_start(
		       inst, gantry_loop_at(inst, 0), 1, 0,
		       [](gantry_timer *, void *) {
			       auto status = reinterpret_cast<intptr_t>(waiting->holder);
			       gantry_op_finish(waiting, static_cast<int32_t>(status), 0);
		       },
		       nullptr, &timer) == 0
		       ? GANTRY_PENDING
		       : -EIO;
}

gantry_lifecycle recording()
{
	gantry_lifecycle life = {};
	life.size = sizeof(life);
	life.conf_size = sizeof(snapshot);
	life.inst_size = 100;
	life.loop_size = 10;
	life.setup = [](gantry_inst *inst) { return note(inst, "setup"); };
	life.start = [](gantry_inst *inst, gantry_op *op) { return note_async(inst, "start", op); };
	life.serve = [](gantry_inst *inst) { return note(inst, "serve"); };
	life.drain = [](gantry_inst *inst, gantry_op *op) { return note_async(inst, "drain", op); };
	life.stop = [](gantry_inst *inst, gantry_op *op) { return note_async(inst, "stop", op); };
	life.free = [](gantry_inst *inst) { note(inst, "free"); };
	life.reload = [](gantry_inst *inst, const void *fresh) {
		calls.push_back("fresh size " +
				std::to_string(static_cast<const snapshot *>(fresh)->size));
		return note(inst, "reload");
	};
	return life;
}

const gantry_lifecycle life = recording();

struct small_ops {
	uint32_t size, reserved;
	void (*one)();
	void (*two)();
} const small = {16, 0, nullptr, nullptr};

gantry_plugin plugin_of(const char *name, const gantry_service *offers, const gantry_need *needs)
{
	gantry_plugin plugin = GK_HOST_DESCRIPTOR;
	plugin.name = name;
	plugin.offers = offers;
	plugin.needs = needs;
	plugin.keys = keys;
	plugin.life = &life;
	return plugin;
}

/* filter-a needs filter B, filter-b needs storage C, storage-c nothing */
const gantry_service offers_a[] = {{GANTRY_FILTER, 1, "A", &small}, {}};
const gantry_service offers_b[] = {{GANTRY_FILTER, 3, "B", &small}, {}};
const gantry_service offers_c[] = {{GANTRY_STORAGE, 0, "C", &small}, {}};
const gantry_need needs_a[] = {{GANTRY_FILTER, 2, 16, 0, "B"}, {}};
const gantry_need needs_b[] = {
	{GANTRY_STORAGE, 0, 0, 0, nullptr}, {GANTRY_AUTH, 0, 0, GANTRY_NEED_OPTIONAL, nullptr}, {}};
const gantry_plugin a = plugin_of("filter-a", offers_a, needs_a);
const gantry_plugin b = plugin_of("filter-b", offers_b, needs_b);
const gantry_plugin c = plugin_of("storage-c", offers_c, nullptr);

/* some that do not fit */
const gantry_need needs_more[] = {{GANTRY_STORAGE, 0, 24, 0, "C"}, {}};
const gantry_need needs_caps[] = {{GANTRY_FILTER, 4, 0, 0, "B"}, {}};
const gantry_need needs_d[] = {{GANTRY_FILTER, 0, 0, 0, "D"}, {}};
const gantry_need needs_any[] = {{GANTRY_FILTER, 0, 0, 0, nullptr}, {}};
const gantry_need cycle_e[] = {{GANTRY_FILTER, 0, 0, 0, "F"}, {}};
const gantry_need cycle_f[] = {{GANTRY_FILTER, 0, 0, GANTRY_NEED_OPTIONAL, "G"}, {}};
const gantry_need cycle_g[] = {{GANTRY_FILTER, 0, 0, 0, "E"}, {}};
const gantry_service offers_e[] = {{GANTRY_FILTER, 0, "E", &small}, {}};
const gantry_service offers_f[] = {{GANTRY_FILTER, 0, "F", &small}, {}};
const gantry_service offers_g[] = {{GANTRY_FILTER, 0, "G", &small}, {}};
const gantry_plugin c_again = plugin_of("storage-again", offers_c, nullptr);
const gantry_plugin more = plugin_of("role-more", nullptr, needs_more);
const gantry_plugin caps = plugin_of("role-caps", nullptr, needs_caps);
const gantry_plugin lonely = plugin_of("role-lonely", nullptr, needs_d);
const gantry_plugin any = plugin_of("role-any", nullptr, needs_any);
const gantry_plugin e = plugin_of("filter-e", offers_e, cycle_e);
const gantry_plugin f = plugin_of("filter-f", offers_f, cycle_f);
const gantry_plugin g = plugin_of("filter-g", offers_g, cycle_g);

/* a plugin with a call that it does not finish by itself */
std::string held_call;
bool may_cancel;
unsigned stops_while_held; /* that somebody asks for meanwhile */
gantry_op *held_op;

int hold(const char *call, gantry_op *op)
{
	if (held_call != call)
		return 0;
	held_op = op;
	gantry_op_take(op, nullptr, nullptr);
	if (may_cancel)
		op->cancel = [](gantry_op *op) { gantry_op_finish(op, -ECANCELED, 0); };
	for (unsigned i = 0; i < stops_while_held; i++)
		gk_kernel_ask(running, GK_ASK_STOP);
	return GANTRY_PENDING;
}

gantry_lifecycle holding()
{
	gantry_lifecycle life = {};
	life.size = sizeof(life);
	life.conf_size = sizeof(snapshot);
	life.start = [](gantry_inst *, gantry_op *op) { return hold("start", op); };
	life.drain = [](gantry_inst *, gantry_op *op) { return hold("drain", op); };
	life.stop = [](gantry_inst *, gantry_op *op) { return hold("stop", op); };
	return life;
}

const gantry_lifecycle stubborn_life = holding();
const gantry_need optional_c[] = {{GANTRY_STORAGE, 0, 0, GANTRY_NEED_OPTIONAL, "C"}, {}};
const gantry_plugin stubborn = [] {
	gantry_plugin plugin = plugin_of("role-stubborn", nullptr, optional_c);
	plugin.life = &stubborn_life;
	return plugin;
}();

const gk_static_plugin builtins[] = {
	{"filter-a", [] { return &a; }},
	{"filter-b", [] { return &b; }},
	{"storage-c", [] { return &c; }},
	{"storage-again", [] { return &c_again; }},
	{"role-more", [] { return &more; }},
	{"role-caps", [] { return &caps; }},
	{"role-lonely", [] { return &lonely; }},
	{"role-any", [] { return &any; }},
	{"filter-e", [] { return &e; }},
	{"filter-f", [] { return &f; }},
	{"filter-g", [] { return &g; }},
	{"role-stubborn", [] { return &stubborn; }},
	{nullptr, nullptr},
};

class Lifecycle : public testing::Test
{
      protected:
	Lifecycle() : dir(testing::TempDir() + "lifecycle-" + std::to_string(getpid()))
	{
		mkdir(dir.c_str(), 0755);
		calls.clear();
		fail_at.clear();
		pending_at.clear();
	}
	~Lifecycle() override
	{
		gk_kernel_free(kernel);
		unlink((dir + "/10-test.conf").c_str());
		rmdir(dir.c_str());
	}

	void write(const std::string &fragment) const
	{
		std::ofstream(dir + "/10-test.conf") << "[kernel]\neventLoopThreads = 2\n"
						     << fragment;
	}

	gk_exit prepare(const std::string &fragment, int roles = 1)
	{
		gk_error error = {};
		gk_options options = {};
		gk_conf *conf = gk_conf_new();
		const char *role;
		write(fragment);
		for (int i = 0; i < roles; i++)
			EXPECT_EQ(0, gk_conf_add_role(conf, "broker", &role));
		EXPECT_EQ(0, gk_conf_read_directory(conf, dir.c_str(), &error)) << error.text;
		EXPECT_EQ(0, gk_conf_choose(conf, &error)) << error.text;
		options.builtins = builtins;
		kernel = running = gk_kernel_new(conf, &options);
		return gk_kernel_prepare(kernel);
	}

	gk_exit prepare_three()
	{
		return prepare("[plugin filter-a]\n[plugin filter-b]\n[plugin storage-c]\n");
	}

	/* What is logged while something is refused. */
	std::string refusal(const std::string &fragment)
	{
		testing::internal::CaptureStderr();
		gk_exit code = prepare(fragment);
		std::string log = testing::internal::GetCapturedStderr();
		EXPECT_EQ(GK_EXIT_PLUGIN, code) << log;
		return log;
	}

	gantry_inst *inst(const char *name) const
	{
		for (guint i = 0; i < kernel->insts->len; i++) {
			auto *at = static_cast<gantry_inst *>(kernel->insts->pdata[i]);
			if (std::string(at->name) == name)
				return at;
		}
		return nullptr;
	}

	std::string dir;
	gk_kernel *kernel = nullptr;
};

using list = std::vector<std::string>;

const list up = {"setup storage-c", "setup filter-b", "setup filter-a",
		 "start storage-c", "start filter-b", "start filter-a",
		 "serve storage-c", "serve filter-b", "serve filter-a"};
const list down = {"drain filter-a", "drain filter-b", "drain storage-c",
		   "stop filter-a",  "stop filter-b",  "stop storage-c",
		   "free filter-a",  "free filter-b",  "free storage-c"};

list both(const list &first, const list &second)
{
	list all = first;
	all.insert(all.end(), second.begin(), second.end());
	return all;
}

TEST_F(Lifecycle, GoesUpInTheOrderOfNeedsAndDownInTheReverse)
{
	ASSERT_EQ(GK_EXIT_CLEAN, prepare_three());
	EXPECT_EQ(list(), calls);
	ASSERT_EQ(GK_EXIT_CLEAN, gk_kernel_up(kernel));
	EXPECT_EQ(up, calls);
	gk_kernel_ask(kernel, GK_ASK_STOP);
	gk_kernel_wait(kernel);
	EXPECT_EQ(GK_EXIT_CLEAN, gk_kernel_down(kernel));
	EXPECT_EQ(both(up, down), calls);
	EXPECT_EQ(0u, kernel->left);
}

TEST_F(Lifecycle, CallsMayFinishLater)
{
	for (const char *call : {"start filter-b", "drain filter-b", "stop filter-b"}) {
		calls.clear();
		pending_at = call;
		ASSERT_EQ(GK_EXIT_CLEAN, prepare_three());
		ASSERT_EQ(GK_EXIT_CLEAN, gk_kernel_up(kernel));
		gk_kernel_ask(kernel, GK_ASK_STOP);
		gk_kernel_wait(kernel);
		EXPECT_EQ(GK_EXIT_CLEAN, gk_kernel_down(kernel));
		EXPECT_EQ(both(up, down), calls);
		gk_kernel_free(kernel);
		kernel = nullptr;
	}
}

/* Whatever fails, exactly what was done is undone. */
TEST_F(Lifecycle, AFailureUndoesWhatWasDone)
{
	struct expected {
		const char *at;
		list undone;
	} const all[] = {
		{"setup storage-c", {}},
		{"setup filter-b", {"free storage-c"}},
		{"setup filter-a", {"free filter-b", "free storage-c"}},
		{"start storage-c", {"free filter-a", "free filter-b", "free storage-c"}},
		{"start filter-b",
		 {"stop storage-c", "free filter-a", "free filter-b", "free storage-c"}},
		{"start filter-a",
		 {"stop filter-b", "stop storage-c", "free filter-a", "free filter-b",
		  "free storage-c"}},
		{"serve storage-c",
		 {"stop filter-a", "stop filter-b", "stop storage-c", "free filter-a",
		  "free filter-b", "free storage-c"}},
		{"serve filter-a",
		 {"drain filter-b", "drain storage-c", "stop filter-a", "stop filter-b",
		  "stop storage-c", "free filter-a", "free filter-b", "free storage-c"}},
	};
	for (const expected &each : all) {
		for (bool later : {false, true}) {
			calls.clear();
			fail_at = each.at;
			pending_at = later ? each.at : "";
			testing::internal::CaptureStderr();
			ASSERT_EQ(GK_EXIT_CLEAN, prepare_three());
			EXPECT_EQ(GK_EXIT_START, gk_kernel_up(kernel));
			std::string log = testing::internal::GetCapturedStderr();
			list done(up.begin(), std::find(up.begin(), up.end(), each.at) + 1);
			EXPECT_EQ(both(done, each.undone), calls) << each.at;
			EXPECT_NE(std::string::npos, log.find("failed: Input/output error")) << log;
			gk_kernel_free(kernel);
			kernel = nullptr;
		}
	}
}

TEST_F(Lifecycle, AFailureOnTheWayDownHoldsNothingUp)
{
	for (const char *call : {"drain filter-b", "stop filter-b"}) {
		calls.clear();
		fail_at = call;
		ASSERT_EQ(GK_EXIT_CLEAN, prepare_three());
		ASSERT_EQ(GK_EXIT_CLEAN, gk_kernel_up(kernel));
		testing::internal::CaptureStderr();
		EXPECT_EQ(GK_EXIT_CLEAN, gk_kernel_down(kernel));
		std::string log = testing::internal::GetCapturedStderr();
		EXPECT_NE(std::string::npos, log.find("failed: Input/output error")) << log;
		EXPECT_EQ(both(up, down), calls);
		gk_kernel_free(kernel);
		kernel = nullptr;
	}
}

TEST_F(Lifecycle, EachInstanceHasItsOwnMemoryAndValues)
{
	ASSERT_EQ(GK_EXIT_CLEAN, prepare("[plugin storage-c:one]\nsize = 7\n"
					 "[plugin storage-c:two]\ntext = hello\n"));
	ASSERT_EQ(GK_EXIT_CLEAN, gk_kernel_up(kernel));
	gantry_inst *one = inst("storage-c:one"), *two = inst("storage-c:two");
	ASSERT_TRUE(one && two);
	EXPECT_NE(gantry_data(one), gantry_data(two));
	EXPECT_EQ(7, static_cast<const snapshot *>(gantry_conf(one))->size);
	EXPECT_EQ(5, static_cast<const snapshot *>(gantry_conf(two))->size);
	EXPECT_STREQ("dflt", static_cast<const snapshot *>(gantry_conf(one))->text);
	EXPECT_STREQ("hello", gantry_conf_text(two, "text"));
	EXPECT_EQ(nullptr, gantry_conf_text(two, "unheard-of"));
	for (unsigned i = 0; i < 3; i++) {
		auto *memory = static_cast<char *>(gantry_loop_data(one, &one->kernel->loops[i]));
		EXPECT_EQ(0u, reinterpret_cast<uintptr_t>(memory) % 64);
		EXPECT_EQ(std::string(10, 0), std::string(memory, 10));
		memset(memory, 0xff, 10);
	}
	EXPECT_EQ(GK_EXIT_CLEAN, gk_kernel_down(kernel));
}

TEST_F(Lifecycle, ServicesAreFoundInTheSameRoleOnly)
{
	ASSERT_EQ(GK_EXIT_CLEAN,
		  prepare("[plugin filter-a]\n[plugin filter-b]\n[plugin storage-c]\n", 2));
	ASSERT_EQ(6u, kernel->insts->len);
	auto *first = static_cast<gantry_inst *>(kernel->insts->pdata[0]);
	auto *last = static_cast<gantry_inst *>(kernel->insts->pdata[5]);
	gantry_inst *peer = nullptr, *other = nullptr;
	EXPECT_EQ(&small, gantry_find(first, GANTRY_STORAGE, "C", &peer));
	EXPECT_EQ(&small, gantry_find(last, GANTRY_STORAGE, nullptr, &other));
	EXPECT_NE(peer, other);
	EXPECT_STREQ(first->role, peer->role);
	EXPECT_STREQ(last->role, other->role);
	EXPECT_EQ(nullptr, gantry_find(first, GANTRY_FILTER, nullptr, nullptr)); /* two */
	EXPECT_EQ(nullptr, gantry_find(first, GANTRY_AUTH, nullptr, nullptr));
	EXPECT_STREQ("A", gantry_find_at(first, GANTRY_FILTER, 0, nullptr)->name);
	EXPECT_STREQ("B", gantry_find_at(first, GANTRY_FILTER, 1, &peer)->name);
	EXPECT_STREQ("filter-b", peer->name);
	EXPECT_EQ(nullptr, gantry_find_at(first, GANTRY_FILTER, 2, nullptr));
}

TEST_F(Lifecycle, NeedsThatAreNotMetAreNamed)
{
	EXPECT_NE(
		std::string::npos,
		refusal("[plugin role-lonely]\n")
			.find("plugin role-lonely (built in): needs the filter service \"D\", and "
			      "nothing in role broker offers it"));
}

TEST_F(Lifecycle, AShortVtableIsNamedWithBothSizes)
{
	EXPECT_NE(
		std::string::npos,
		refusal("[plugin role-more]\n[plugin storage-c]\n")
			.find("plugin role-more (built in): needs the storage service \"C\" with a "
			      "vtable of 24 bytes, the one of storage-c (storage-c (built in)) has "
			      "16"));
}

TEST_F(Lifecycle, MissingCapabilitiesAreNamedWithBothSets)
{
	EXPECT_NE(std::string::npos,
		  refusal("[plugin role-caps]\n[plugin filter-b]\n[plugin storage-c]\n")
			  .find("needs the filter service \"B\" with caps 0x4, the one of filter-b "
				"(filter-b (built in)) has 0x3"));
}

TEST_F(Lifecycle, SeveralForOneNeedAreNamed)
{
	EXPECT_NE(
		std::string::npos,
		refusal("[plugin role-any]\n[plugin filter-a]\n[plugin filter-b]\n"
			"[plugin storage-c]\n")
			.find("plugin role-any (built in): needs a filter service, and role broker "
			      "has several: filter-a and filter-b"));
}

TEST_F(Lifecycle, TwoPluginsUnderOneNameAreNamed)
{
	EXPECT_NE(std::string::npos,
		  refusal("[plugin storage-c]\n[plugin storage-again]\n")
			  .find("plugins storage-c (built in) and storage-again (built in): both "
				"offer the storage service \"C\" in role broker"));
}

TEST_F(Lifecycle, ACycleIsShownInFull)
{
	std::string log = refusal("[plugin filter-e]\n[plugin filter-f]\n[plugin filter-g]\n");
	EXPECT_NE(
		std::string::npos,
		log.find("cyclic needs in role broker: filter-e (filter-e (built in)) -> filter-f "
			 "(filter-f (built in)) -> filter-g (filter-g (built in)) -> filter-e"))
		<< log;
}

TEST_F(Lifecycle, EveryWrongValueIsReported)
{
	testing::internal::CaptureStderr();
	EXPECT_EQ(GK_EXIT_CONFIG, prepare("[plugin storage-c:one]\nsize = huge\ncount = 10\n"
					  "[plugin storage-c:two]\nsize = 1001\n"));
	std::string log = testing::internal::GetCapturedStderr();
	EXPECT_NE(std::string::npos, log.find("10-test.conf:4: size")) << log;
	EXPECT_NE(std::string::npos, log.find("10-test.conf:5: count")) << log;
	EXPECT_NE(std::string::npos, log.find("10-test.conf:7: size")) << log;
}

TEST_F(Lifecycle, ReloadSwapsWhatChanged)
{
	ASSERT_EQ(GK_EXIT_CLEAN, prepare("[plugin storage-c:one]\n[plugin storage-c:two]\n"));
	ASSERT_EQ(GK_EXIT_CLEAN, gk_kernel_up(kernel));
	gantry_inst *one = inst("storage-c:one"), *two = inst("storage-c:two");
	const void *before = gantry_conf(two);
	static uint32_t changed;
	changed = 0;
	gantry_subscribe_spec spec = {};
	gantry_subscription *subscription;
	spec.size = sizeof(spec);
	spec.event = [](const gantry_event *event, void *) {
		changed = *static_cast<const uint32_t *>(event->payload);
		return 0;
	};
	ASSERT_EQ(0, gantry_subscribe(one, GANTRY_TOPIC_RELOADED, 1, &spec, &subscription));
	calls.clear();
	write("[plugin storage-c:one]\nsize = 9\n[plugin storage-c:two]\n");
	EXPECT_EQ(0, gk_kernel_reload(kernel));
	EXPECT_EQ((list{"fresh size 9", "reload storage-c:one"}), calls);
	EXPECT_EQ(9, static_cast<const snapshot *>(gantry_conf(one))->size);
	EXPECT_EQ(before, gantry_conf(two));
	EXPECT_EQ(1u, changed);
	EXPECT_EQ(GK_EXIT_CLEAN, gk_kernel_down(kernel));
}

TEST_F(Lifecycle, AWrongFileOrAPluginsRefusalKeepsTheOldValues)
{
	ASSERT_EQ(GK_EXIT_CLEAN, prepare("[plugin storage-c:one]\n[plugin storage-c:two]\n"));
	ASSERT_EQ(GK_EXIT_CLEAN, gk_kernel_up(kernel));
	gantry_inst *one = inst("storage-c:one"), *two = inst("storage-c:two");
	calls.clear();
	testing::internal::CaptureStderr();
	write("[plugin storage-c:one]\nsize = 9\n[plugin storage-c:two]\nsize = wrong\n");
	EXPECT_GT(0, gk_kernel_reload(kernel));
	EXPECT_EQ(list(), calls);
	EXPECT_EQ(5, static_cast<const snapshot *>(gantry_conf(one))->size);

	write("[plugin storage-c:one]\nsize = 9\n");
	EXPECT_GT(0, gk_kernel_reload(kernel)) << "a changed set of plugins needs a restart";

	fail_at = "reload storage-c:one";
	write("[plugin storage-c:one]\nsize = 9\n[plugin storage-c:two]\nsize = 10\n");
	EXPECT_EQ(0, gk_kernel_reload(kernel));
	std::string log = testing::internal::GetCapturedStderr();
	EXPECT_NE(std::string::npos, log.find("needs a restart")) << log;
	EXPECT_NE(std::string::npos, log.find("storage-c:one: keeps its old values")) << log;
	EXPECT_EQ(5, static_cast<const snapshot *>(gantry_conf(one))->size);
	EXPECT_EQ(10, static_cast<const snapshot *>(gantry_conf(two))->size);
	EXPECT_EQ(GK_EXIT_CLEAN, gk_kernel_down(kernel));
}

TEST_F(Lifecycle, StagesAreEventsOnTheBus)
{
	static std::vector<uint32_t> stages;
	static bool ended;
	stages.clear();
	ended = false;
	ASSERT_EQ(GK_EXIT_CLEAN, prepare("[plugin storage-c]\n"));
	gantry_subscribe_spec spec = {};
	gantry_subscription *subscription;
	spec.size = sizeof(spec);
	spec.event = [](const gantry_event *event, void *) {
		stages.push_back(static_cast<const gantry_stage_event *>(event->payload)->stage);
		return 0;
	};
	spec.end = [](void *) { ended = true; };
	ASSERT_EQ(0,
		  gantry_subscribe(inst("storage-c"), GANTRY_TOPIC_STAGE, 1, &spec, &subscription));
	ASSERT_EQ(GK_EXIT_CLEAN, gk_kernel_up(kernel));
	EXPECT_EQ(GK_EXIT_CLEAN, gk_kernel_down(kernel));
	EXPECT_EQ((std::vector<uint32_t>{GANTRY_STAGE_RESOLVE, GANTRY_STAGE_START,
					 GANTRY_STAGE_SERVE, GANTRY_STAGE_DRAIN}),
		  stages);
	EXPECT_TRUE(ended);
}

/* ---- stops that are cut short */

TEST_F(Lifecycle, ASecondStopCancelsTheDrain)
{
	held_call = "drain";
	may_cancel = true;
	stops_while_held = 1;
	ASSERT_EQ(GK_EXIT_CLEAN, prepare("[plugin role-stubborn]\n[plugin storage-c]\n"));
	ASSERT_EQ(GK_EXIT_CLEAN, gk_kernel_up(kernel));
	gk_kernel_ask(kernel, GK_ASK_STOP);
	gk_kernel_wait(kernel);
	calls.clear();
	testing::internal::CaptureStderr();
	EXPECT_EQ(GK_EXIT_FORCED, gk_kernel_down(kernel));
	std::string log = testing::internal::GetCapturedStderr();
	EXPECT_NE(std::string::npos, log.find("role-stubborn: drain failed: Operation canceled"))
		<< log;
	EXPECT_FALSE(kernel->abandoned);
	EXPECT_EQ((list{"stop storage-c", "free storage-c"}), calls);
}

TEST_F(Lifecycle, DrainTimeoutEndsADrainThatDoesNot)
{
	held_call = "drain";
	may_cancel = false;
	stops_while_held = 0;
	ASSERT_EQ(GK_EXIT_CLEAN, prepare("drainTimeout = 100ms\n[plugin role-stubborn]\n"));
	ASSERT_EQ(GK_EXIT_CLEAN, gk_kernel_up(kernel));
	testing::internal::CaptureStderr();
	EXPECT_EQ(GK_EXIT_FORCED, gk_kernel_down(kernel));
	std::string log = testing::internal::GetCapturedStderr();
	EXPECT_NE(std::string::npos, log.find("role-stubborn: drain failed: Connection timed out"))
		<< log;
	EXPECT_FALSE(kernel->abandoned);
}

TEST_F(Lifecycle, AStopThatNeverEndsIsAbandoned)
{
	held_call = "stop";
	may_cancel = false;
	stops_while_held = 3;
	ASSERT_EQ(GK_EXIT_CLEAN, prepare("[plugin role-stubborn]\n[plugin storage-c]\n"));
	ASSERT_EQ(GK_EXIT_CLEAN, gk_kernel_up(kernel));
	testing::internal::CaptureStderr();
	EXPECT_EQ(GK_EXIT_FORCED, gk_kernel_down(kernel));
	std::string log = testing::internal::GetCapturedStderr();
	EXPECT_NE(std::string::npos, log.find("role-stubborn: stop failed")) << log;
	EXPECT_TRUE(kernel->abandoned);
	EXPECT_EQ(calls.end(), std::find(calls.begin(), calls.end(), "free storage-c"));
	/* gantryd would exit here; the test waits for its own plugin and cleans up */
	gantry_op_finish(held_op, 0, 0);
	kernel->abandoned = 0;
	gk_kernel_down(kernel);
}

TEST_F(Lifecycle, AStopWhileStartingCancelsTheStart)
{
	held_call = "start";
	may_cancel = true;
	stops_while_held = 1;
	ASSERT_EQ(GK_EXIT_CLEAN, prepare("[plugin role-stubborn]\n[plugin storage-c]\n"));
	testing::internal::CaptureStderr();
	EXPECT_EQ(GK_EXIT_CLEAN, gk_kernel_up(kernel));
	std::string log = testing::internal::GetCapturedStderr();
	EXPECT_EQ(nullptr, kernel->loops) << "it went down again";
	EXPECT_NE(std::string::npos, log.find("role-stubborn: start failed: Operation canceled"))
		<< log;
	EXPECT_EQ((list{"setup storage-c", "start storage-c", "stop storage-c", "free storage-c"}),
		  calls);
}

TEST_F(Lifecycle, SignalsAskForStopAndReload)
{
	ASSERT_EQ(GK_EXIT_CLEAN, prepare("[plugin storage-c]\n"));
	kernel->options.signals = 1;
	ASSERT_EQ(GK_EXIT_CLEAN, gk_kernel_up(kernel));
	calls.clear();
	write("[plugin storage-c]\nsize = 9\n");
	static std::atomic<bool> reloaded;
	reloaded = false;
	gantry_subscribe_spec spec = {};
	gantry_subscription *subscription;
	spec.size = sizeof(spec);
	spec.event = [](const gantry_event *, void *) {
		reloaded = true;
		kill(getpid(), SIGTERM);
		return 0;
	};
	ASSERT_EQ(0, gantry_subscribe(inst("storage-c"), GANTRY_TOPIC_RELOADED, 1, &spec,
				      &subscription));
	kill(getpid(), SIGHUP);
	gk_kernel_wait(kernel);
	EXPECT_TRUE(reloaded);
	EXPECT_EQ(9, static_cast<const snapshot *>(gantry_conf(inst("storage-c")))->size);
	EXPECT_EQ(GK_EXIT_CLEAN, gk_kernel_down(kernel));
}

} // namespace
