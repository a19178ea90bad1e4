// Main.java: counts records in memory, and writes the number to disk in its shutdown hook.
// SPDX-License-Identifier: MIT
import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.util.concurrent.atomic.AtomicInteger;

public class Main {
	static final AtomicInteger records = new AtomicInteger();
	static volatile boolean stopping;

	static void serve(Socket client) {
		try (client) {
			BufferedReader in = new BufferedReader(new InputStreamReader(client.getInputStream()));
			OutputStream out = client.getOutputStream();
			for (String line; (line = in.readLine()) != null;) {
				if (stopping)
					return;
				int n = line.equals("count") ? records.get() : records.incrementAndGet();
				out.write((n + "\n").getBytes());
			}
		} catch (IOException e) {
		}
	}

	public static void main(String[] args) throws Exception {
		Path file = Path.of("/srv/records");
		if (Files.exists(file))
			records.set(Integer.parseInt(Files.readString(file)));
		ServerSocket server = new ServerSocket(8000);
		Runtime.getRuntime().addShutdownHook(new Thread(() -> {
			try {
				stopping = true;
				server.close();
				Thread.sleep(1000);
				Files.writeString(file, "" + records.get());
			} catch (Exception e) {
			}
		}));
		for (;;) {
			Socket client = server.accept();
			new Thread(() -> serve(client)).start();
		}
	}
}
