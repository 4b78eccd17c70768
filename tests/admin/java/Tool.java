// SPDX-License-Identifier: Apache-2.0
// Runs many mqadmin commands in one JVM: each line of standard input is a JSON list of a command's words, each line of
// the output a JSON text of what the command printed.
import com.alibaba.fastjson2.JSON;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.tools.command.MQAdminStartup;

public final class Tool {
    private Tool() {
    }

    public static void main(String[] argv) throws Exception {
        PrintStream results = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        PrintStream log = System.err;
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            PrintStream capture = new PrintStream(printed, true, StandardCharsets.UTF_8);
            System.setOut(capture);
            System.setErr(capture);
            MQAdminStartup.main0(JSON.parseArray(line, String.class).toArray(new String[0]), null);
            System.setErr(log);
            results.println(JSON.toJSONString(printed.toString(StandardCharsets.UTF_8)));
        }
        System.exit(0); // clients leave threads behind
    }
}
