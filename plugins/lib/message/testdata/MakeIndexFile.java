// SPDX-License-Identifier: Apache-2.0
// Prints what RocketMQ's own IndexFile makes of the puts that index_file_test.cc repeats: one line
// of hex a file, then what it finds. Run it against another version's jars to see whether its
// format is the same:
//   java -cp 'JARS/*' plugins/lib/message/testdata/MakeIndexFile.java
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.store.index.IndexFile;

public class MakeIndexFile {
	static final int SLOTS = 5, ENTRIES = 9;
	static final long BEGIN = 1700000000000L;
	static final String[] KEYS = {"a", "order-1", "7F000001ABCD18B4AAC20000", "Grüße",
		"钥匙", "😀key", "T#TagA", "order-1", "order-1"};

	// A key whose hash is the smallest int: it counts as 0.
	static String smallest() {
		int topic = "Topic#".hashCode();
		for (long n = 0; n < 1L << 36; n++) {
			int hash = topic;
			for (int shift = 0; shift < 36; shift += 6)
				hash = 31 * hash + ('0' + (int) (n >> shift & 63));
			int last = Integer.MIN_VALUE - 31 * hash;
			if (last < '0' || last > 'z')
				continue;
			StringBuilder key = new StringBuilder();
			for (int shift = 0; shift < 36; shift += 6)
				key.append((char) ('0' + (int) (n >> shift & 63)));
			return key.append((char) last).toString();
		}
		throw new IllegalStateException("none");
	}

	static void put(IndexFile file, String key, int i) {
		if (!file.putKey("Topic#" + key, 1000L * i + (1L << 40), BEGIN + 700L * i))
			System.out.println("full");
	}

	static void show(Path path, IndexFile file) throws Exception {
		file.flush();
		StringBuilder hex = new StringBuilder();
		for (byte b : Files.readAllBytes(path))
			hex.append(String.format("%02x", b));
		System.out.println(hex);
	}

	static void find(IndexFile file, String key, int max, long begin, long end) {
		List<Long> found = new ArrayList<>();
		file.selectPhyOffset(found, "Topic#" + key, max, begin, end);
		System.out.println(key + " " + max + " " + (begin - BEGIN) + " " + (end - BEGIN) + " " + found
			+ " " + file.isTimeMatched(begin, end));
	}

	public static void main(String[] args) throws Exception {
		Path root = Files.createTempDirectory("index");
		Path first = root.resolve("20260101000000000"), second = root.resolve("20260101000000001");
		IndexFile file = new IndexFile(first.toString(), SLOTS, ENTRIES, 0, 0);
		for (int i = 0; i < KEYS.length; i++)
			put(file, KEYS[i], i);
		show(first, file);
		IndexFile next = new IndexFile(second.toString(), SLOTS, ENTRIES, file.getEndPhyOffset(),
			file.getEndTimestamp());
		String smallest = smallest();
		System.out.println(smallest);
		put(next, smallest, 20);
		put(next, "a", 21);
		show(second, next);
		find(file, "order-1", 9, BEGIN, BEGIN + 100000);
		find(file, "order-1", 1, BEGIN, BEGIN + 100000);
		find(file, "order-1", 9, BEGIN, BEGIN + 1000);
		find(file, "order-1", 9, BEGIN + 3000, BEGIN + 5000);
		find(file, "a", 9, BEGIN, BEGIN);
		find(file, "none", 9, BEGIN, BEGIN + 100000);
		find(file, "a", 9, BEGIN - 5000, BEGIN - 1);
		find(next, "a", 9, BEGIN, BEGIN + 100000);
		find(next, smallest, 9, BEGIN, BEGIN + 100000);
		for (Path path : new Path[] {first, second, root})
			Files.delete(path);
	}
}
