// Main.java: ticks, and has a shutdown hook that takes a while.
// SPDX-License-Identifier: MIT
public class Main {
	public static void main(String[] args) throws Exception {
		Runtime.getRuntime().addShutdownHook(new Thread(() -> {
			System.out.println("hook begun");
			try {
				Thread.sleep(500);
			} catch (InterruptedException e) {
				return;
			}
			System.out.println("hook done");
		}));
		System.out.println("ready");
		for (int n = 1;; n++) {
			Thread.sleep(100);
			System.out.println("tick " + n);
		}
	}
}
